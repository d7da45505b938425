/** For limits that say how much work something is: what others do on the machine meanwhile does not count. */
export function startProcessorTime(): () => number {
  const began = process.cpuUsage();
  /** Milliseconds of all threads of this process. */
  return () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000;
  };
}
