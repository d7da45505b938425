/** The files that `calmcp init` hands out. */
import example from '../../accounts.example.yaml';

/** accounts.example.yaml as it stands in the repository. */
export const EXAMPLE_ACCOUNTS: string = example;

export const STARTER_ACCOUNTS = `# calmcp: your accounts. Every account is one calendar world: a tenant, a login, a feed, a folder.
# All that can be said here, with comments: calmcp init --print
version: 1

# defaults:
#   timeZone: Europe/Amsterdam        # the zone answers are given in; default: the system's

accounts:
  # .ics files in a folder beside this file. No sign-in needed.
  files:
    provider: ics
    path: ./calendars

  # A Microsoft 365 tenant: remove the # signs, fill in the two ids, then run: calmcp login --account work
  # work:
  #   provider: microsoft
  #   clientId: 00000000-0000-0000-0000-000000000000    # application (client) id
  #   tenantId: 00000000-0000-0000-0000-000000000000    # directory (tenant) id

  # A feed: export the address as CLIENT_FEED_URL, for it is as good as a password.
  # client-feed:
  #   provider: ics
  #   url: \${ENV:CLIENT_FEED_URL}
`;
