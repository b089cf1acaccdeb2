import * as luet from 'luet-ts';

const { packages } = await luet.build({
  tree: 'tree',
  packages: ['apps/note'],
  destination: 'out',
  engine: process.env.ENGINE, // the one that the command line finds, where this is not set
  onEvent: (event) => event.type === 'step' && console.log(`${event.package}: ${event.command}`),
});
for (const { package: name, outcome } of packages) console.log(`${name}: ${outcome}`);
