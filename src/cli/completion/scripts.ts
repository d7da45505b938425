/**
 * What a shell is told once. All of it asks calmcp itself (`calmcp __complete`), so that it is never older than the program.
 * The word at the cursor goes along with a `=` in front: some shells drop an empty argument.
 */

/** Says that file names belong here. */
export const FILES = ':files';

// Programmable completion: https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html
// Bash splits words at = and : by itself (COMP_WORDBREAKS); the program puts them together again.
const BASH = `# calmcp: completion for bash. Put this line into ~/.bashrc:
#   source <(calmcp completion bash)
_calmcp() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == "${FILES}" ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${current#=}")
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <(calmcp __complete bash -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "=$current" 2>/dev/null </dev/null)
}
complete -F _calmcp calmcp
`;

// https://zsh.sourceforge.io/Doc/Release/Completion-System.html
const ZSH = `#compdef calmcp
# calmcp: completion for zsh. Put this line into ~/.zshrc, after compinit:
#   source <(calmcp completion zsh)
_calmcp() {
  local line files=0
  local -a found
  while IFS= read -r line; do
    if [[ $line == "${FILES}" ]]; then
      files=1
    else
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done < <(calmcp __complete zsh -- "\${(@)words[2,CURRENT-1]}" "=$words[CURRENT]" 2>/dev/null </dev/null)
  (( $#found )) && _describe -V calmcp found
  (( files )) && _files
}
if [[ $funcstack[1] == _calmcp ]]; then
  _calmcp "$@"
else
  compdef _calmcp calmcp
fi
`;

// https://fishshell.com/docs/current/completions.html
const FISH = `# calmcp: completion for fish. Write it where fish looks for it:
#   calmcp completion fish > ~/.config/fish/completions/calmcp.fish
function __calmcp_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (calmcp __complete fish -- $words[2..-1] "=$current" 2>/dev/null </dev/null)
        if test "$line" = "${FILES}"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c calmcp -f -k -a '(__calmcp_complete)'
`;

// https://learn.microsoft.com/powershell/module/microsoft.powershell.core/register-argumentcompleter
const POWERSHELL = `# calmcp: completion for PowerShell. Put this line into your $PROFILE:
#   calmcp completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName calmcp -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $before = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  calmcp __complete powershell -- @before "=$wordToComplete" 2>$null | ForEach-Object {
    $value, $about = $_ -split "\`t", 2
    if ($value -ne '${FILES}') {
      if (-not $about) { $about = $value }
      [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
  }
}
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL } as const;

export type ShellName = keyof typeof SCRIPTS;
