/** Holds the daemon that its argument describes until it is killed. */
import { holdEngine } from '../support/engines/own.ts';

const { url } = await holdEngine(JSON.parse(process.argv[2] ?? ''));
process.stdout.write(`${url}\n`);
setInterval(() => {}, 1000);
