import { MedplumClient } from '@medplum/core';
import { drive } from './drive.mjs';

// startJwtAssertionLogin sends no scope, which SMART requires of it.
const fetchAskingFor = (scope) => (url, options) => {
  if (!scope || !String(url).endsWith('/oauth/token')) {
    return fetch(url, options);
  }
  const form = new URLSearchParams(options.body);
  form.set('scope', scope);
  return fetch(url, { ...options, body: form.toString() });
};

await drive(
  ({ baseUrl, clientId, scope, token }) =>
    new MedplumClient({
      baseUrl,
      fhirUrlPath: 'fhir',
      tokenUrl: 'oauth/token',
      clientId,
      accessToken: token,
      fetch: fetchAskingFor(scope),
    }),
  ({ message, outcome, cause }) => ({ message: cause?.message ?? message, outcome }),
);
