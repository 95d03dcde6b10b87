import { Client } from 'fhir-kit-client';
import { drive } from './drive.mjs';

await drive(
  ({ fhirBase, token }) => new Client({ baseUrl: fhirBase, bearerToken: token }),
  ({ message, response }) => ({
    message,
    status: response?.status,
    outcome: response?.data,
  }),
);
