// Loaded into every process under test before its own code: says on demand what the process has used.
process.on('message', (message) => {
  if (message !== 'usage') return;
  const { user, system } = process.cpuUsage();
  process.send({ usage: { cpu: user + system, rss: process.memoryUsage.rss() } });
});
process.channel?.unref();
