import { createHash } from 'node:crypto';
import { fieldsOf, given, invalid, isObject, type JsonObject } from './google-body.ts';
import type { GoogleConferenceData, GoogleEventProperties } from './google-data.ts';
import { googleRefusal } from './google-refusal.ts';

export type Conference = Pick<GoogleEventProperties, 'hangoutLink' | 'conferenceData'>;

/**
 * A Meet conference: the one of a request, or a copy of one that exists.
 * https://developers.google.com/workspace/calendar/api/guides/create-events#conferencing
 * @param before what the event has; a request with the id of the one it was made from is ignored
 */
export function readConference(body: JsonObject, before: Conference): Conference {
  const request = fieldsOf(body, 'conferenceData.').object('createRequest');
  if (request === undefined) return copied(body);
  const fields = fieldsOf(request, 'conferenceData.createRequest.');
  const requestId = fields.text('requestId');
  if (requestId === undefined || requestId === '') {
    throw googleRefusal(400, 'Missing conference request ID.', { reason: 'required' });
  }
  if (before.conferenceData?.createRequest?.requestId === requestId) return before;
  const key = fields.object('conferenceSolutionKey') ?? {};
  // Seen: googleapis/google-api-dotnet-client#2760.
  if (key.type !== 'hangoutsMeet') throw invalid('Invalid conference type value.');
  return meeting(requestId, {
    requestId,
    conferenceSolutionKey: { type: 'hangoutsMeet' },
    status: { statusCode: 'success' },
  });
}

/** A Meet conference whose code comes from `seed`. */
export function meeting(seed: string, createRequest?: GoogleConferenceData['createRequest']): Conference {
  const letters = [...createHash('sha256').update(seed).digest().subarray(0, 10)]
    .map((byte) => 'abcdefghijklmnopqrstuvwxyz'[byte % 26])
    .join('');
  const code = `${letters.slice(0, 3)}-${letters.slice(3, 7)}-${letters.slice(7, 10)}`;
  const uri = `https://meet.google.com/${code}`;
  return {
    hangoutLink: uri,
    conferenceData: {
      ...given({ createRequest }),
      conferenceId: code,
      conferenceSolution: { key: { type: 'hangoutsMeet' }, name: 'Google Meet' },
      entryPoints: [{ entryPointType: 'video', uri, label: uri.slice('https://'.length) }],
    },
  };
}

function copied(body: JsonObject): Conference {
  const solution = isObject(body.conferenceSolution) ? body.conferenceSolution : {};
  const points = (Array.isArray(body.entryPoints) ? body.entryPoints : []).filter(isObject);
  if (!isObject(solution.key) || points.length === 0) throw invalid('Invalid conference data.');
  if (solution.key.type !== 'hangoutsMeet') throw invalid('Invalid conference type value.');
  const link = points.find(({ entryPointType }) => entryPointType === 'video')?.uri;
  return {
    ...(typeof link === 'string' ? { hangoutLink: link } : {}),
    conferenceData: body as unknown as GoogleConferenceData,
  };
}
