/** Writing through the real @softeria/ms-365-mcp-server: one server for all cases of a way. */
import { afterAll, beforeAll, describe } from 'vitest';
import { lasting } from '../../harness.ts';
import { openOffice } from './office.ts';
import { type Office, writingCases } from './writing-cases.ts';

describe.each(['http', 'stdio'] as const)('through a child server (%s)', (transport) => {
  let office: Awaited<ReturnType<typeof lasting<Office>>>;
  beforeAll(async () => {
    office = await lasting(() => openOffice(transport));
  });
  afterAll(() => office.end());
  writingCases({ open: () => office.opened, viaChild: true });
});
