// Where other file systems are mounted, from the table that Linux shows a process (proc_pid_mountinfo(5)).

/** The directories that something is mounted on. */
export function mountPointsOf(mountinfo: string): string[] {
  const points: string[] = [];
  for (const line of mountinfo.split('\n')) {
    // The fifth field; what would end it stands there in octal.
    const point = line.split(' ')[4];
    if (point !== undefined)
      points.push(point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  }
  return points;
}
