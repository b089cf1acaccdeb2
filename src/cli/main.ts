import { runProcess } from './process.ts';

runProcess(async () => (await import('./commands.ts')).commandTable);
