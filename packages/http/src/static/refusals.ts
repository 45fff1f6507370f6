// The fields that are added to the responses of a site, on those that are given in front of it.

import { isHttpResponse } from '../fetch/response.ts';
import type { FetchHandler } from '../handler.ts';
import { plainPath } from './path.ts';
import type { ResponseFields } from './response-fields.ts';

/** 401 and 503: what a guard that asks for passwords answers by itself. */
export function withFieldsOnRefusals(guarded: FetchHandler, fields: ResponseFields): FetchHandler {
  if (fields.isEmpty) return guarded;
  return async (request, context) => {
    const response = await guarded(request, context);
    if ((response.status === 401 || response.status === 503) && isHttpResponse(response))
      fields.addTo(response, plainPath(context.rawTarget), context.client.scheme === 'https');
    return response;
  };
}
