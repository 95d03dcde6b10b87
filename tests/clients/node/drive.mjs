// Calls the methods of a client in turn, and tells what became of each call.
import { text } from 'node:stream/consumers';

export async function drive(newClient, refusalOf) {
  const { settings, calls } = JSON.parse(await text(process.stdin));
  const client = newClient(settings);
  const answers = [];
  for (const [method, ...values] of calls) {
    try {
      answers.push({ answer: (await client[method](...values)) ?? null });
    } catch (error) {
      answers.push({ refusal: refusalOf(error) });
    }
  }
  console.log(JSON.stringify(answers));
}
