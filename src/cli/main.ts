import { commands } from './commands.ts';
import { runProcess } from './process.ts';

runProcess(commands);
