/**
 * A run that dies by force after it made a temporary image: `node dying-run.ts ADDRESS RUN TEMPORARY BASE NAME`. The image is
 * BASE under another name.
 */
import { findEngine } from '../../src/engine/index.ts';
import { engineSettings } from '../../src/library/index.ts';

const [address = '', runId = '', temporary = '', base = '', name = ''] = process.argv.slice(2);
const { engine } = await findEngine({
  settings: engineSettings(process.env, '/nonexistent'),
  engine: address === '' ? undefined : address,
  token: () => 'x',
  temporary,
  now: () => new Date(),
  runId,
});
const images = await engine.read([base]);
const image = await images.image(base);
if (image === undefined) throw new Error(`no image ${base}`);
await engine.write([{ name, image }], { temporary: true });
process.kill(process.pid, 'SIGKILL');
