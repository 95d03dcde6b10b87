import { MedplumClient } from '@medplum/core';
import { drive } from './drive.mjs';

await drive(
  ({ baseUrl, clientId }) =>
    new MedplumClient({
      baseUrl,
      fhirUrlPath: 'fhir',
      tokenUrl: 'oauth/token',
      clientId,
    }),
  ({ message, outcome, cause }) => ({ message: cause?.message ?? message, outcome }),
);
