/** Stands for a daemon: `fake-daemon.ts SOCKET EVENTS` answers pings on SOCKET and writes its life into EVENTS. */
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , socket = '', events = ''] = process.argv;
if (socket.endsWith('broken.sock')) {
  console.error('cannot do\nwhat daemons do');
  process.exit(3);
}
const say = (word: string): void => appendFileSync(events, `${word} ${process.pid}\n`);
const server = createServer((_, response) => response.end('OK'));
server.listen(socket, () => say('start'));
process.on('SIGTERM', () => {
  // Ending takes a moment, as it does for daemons.
  setTimeout(() => {
    say('stop');
    process.exit(0);
  }, 150);
});
