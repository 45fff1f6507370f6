// The line of a transfer in the format that wu-ftpd's xferlog began and that log tools read: one line, fields parted by
// spaces, 18 of them since the time has five.

import type { TransferReport } from './transfer-report.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (number: number): string => String(number).padStart(2, '0');

/** As ctime writes it, in the zone of the machine, which is what such logs have always had. */
function localTime(wallMs: number): string {
  const date = new Date(wallMs);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${DAYS[date.getDay()] ?? ''} ${MONTHS[date.getMonth()] ?? ''} ${String(date.getDate()).padStart(2)} ${time} ${date.getFullYear()}`;
}

// A space would part a field in two, and a line end would forge a line.
const field = (text: string): string => text.replace(/[\0-\x20\x7f]/g, '_') || '_';

/** One line with its line feed, of an upload or a download that ended at `wallMs`; undefined for a listing. */
export function xferlogLine(report: TransferReport, wallMs: number): string | undefined {
  if (report.direction === 'listing') return undefined;
  const seconds = Math.round(report.elapsedMs / 1000);
  const fields = [
    localTime(wallMs),
    String(seconds),
    field(report.remoteAddress),
    String(report.bytes),
    field(report.path),
    report.isAscii ? 'a' : 'b',
    '_',
    report.direction === 'upload' ? 'i' : 'o',
    report.isAnonymous ? 'a' : 'r',
    field(report.user),
    'ftp',
    '0',
    '*',
    report.isComplete ? 'c' : 'i',
  ];
  return `${fields.join(' ')}\n`;
}
