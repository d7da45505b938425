export function run(program: string, args: readonly string[], options?: object): void;
export function installMissing(): void;
export function buildMissing(): void;
