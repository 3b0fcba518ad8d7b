// Imported by a process that must not outlive the one that started it, however that one ended: the channel between
// them closes even when the parent is killed. Ends as if told to, so that messages under way are finished.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
