// Cases of other parsers' suites that this parser decides otherwise, on purpose. `ours` is what it does; a row that no
// longer deviates fails the test.

export interface Deviation {
  readonly ours: 'accepted' | 'refused' | 'incomplete';
  readonly rfc: string;
  readonly reason: string;
}

const row = (ours: Deviation['ours'], rfc: string, reason: string): Deviation => ({ ours, rfc, reason });

const afterClose = 'what follows a closing request is discarded by the connection, not by the parser';
const noTunnel = 'Upgrade and CONNECT are ordinary heads here; the connection answers them';
const fragment = 'a request target has no fragment';
const target = 'a request target is visible ASCII';
const userinfo = 'user information in an http target is refused';
const trailer = 'Content-Type does not belong in a trailer section';
const gzip = 'a coding before chunked is not implemented';
const identity = 'identity is no transfer coding, and two lines are not one chunked';
const otherProtocol = 'only HTTP is spoken here';
const headNotOver = 'a head is judged when its last line has come, and this one never ends';
const configured = 'a limit or rule of that server that a setting chooses';
const methodToken = 'the syntax of a method is any token; the connection answers 501';
const smallerLimit = 'our default limit is larger';

/** By file and line of the case. */
export const LLHTTP_DEVIATIONS: Readonly<Record<string, Deviation>> = {
  'connection.md:105': row('accepted', '9112 §9.6', afterClose),
  'connection.md:340': row('accepted', '9112 §9.6', afterClose),
  'connection.md:390': row('accepted', '9112 §9.6', afterClose),
  'connection.md:711': row('accepted', '9110 §7.8', noTunnel),
  'connection.md:751': row('accepted', '9110 §7.8', noTunnel),
  'content-length.md:98': row('incomplete', '9112 §6.3', headNotOver),
  'content-length.md:491': row(
    'incomplete',
    '9112 §6.3',
    'the content of a message is as long as it says, whatever it looks like',
  ),
  'invalid.md:85': row('accepted', '9110 §9.1', methodToken),
  'invalid.md:370': row('accepted', '9110 §9.1', methodToken),
  'invalid.md:507': row('incomplete', '9112 §2.3', headNotOver),
  'method.md:94': row('accepted', '9110 §9.3.6', noTunnel),
  'method.md:171': row('refused', '9112 §3.2.4', 'the asterisk form is for OPTIONS alone; SSDP is another protocol'),
  'method.md:398': row('refused', '9112 §2.3', otherProtocol),
  'method.md:428': row('refused', '9112 §2.3', otherProtocol),
  'method.md:456': row('refused', '9112 §2.3', otherProtocol),
  'sample.md:331': row('refused', '9112 §3', 'HTTP/0.9 is not spoken here'),
  'transfer-encoding.md:236': row('refused', '9110 §6.5.1', trailer),
  'transfer-encoding.md:791': row('refused', '9112 §3.2', fragment),
  'transfer-encoding.md:838': row('refused', '9112 §3.2', fragment),
  'uri.md:186': row('refused', '9112 §3.2', fragment),
  'uri.md:220': row('accepted', '9110 §9.3.6', noTunnel),
  'uri.md:243': row('refused', '9110 §4.2.4', userinfo),
};

/** By kind and file of the case. */
export const GUNICORN_DEVIATIONS: Readonly<Record<string, Deviation>> = {
  'valid:005.http': row('refused', '9112 §3.2', fragment),
  'valid:009.http': row('refused', '9112 §3.2', fragment),
  'valid:012.http': row('refused', '9110 §6.5.1', trailer),
  'valid:025.http': row('refused', '9112 §6.1', identity),
  'valid:025_line.http': row('refused', '9112 §6.1', gzip),
  'valid:027.http': row('refused', '9112 §3.2', target),
  'valid:028.http': row('refused', '9112 §5.1', configured),
  'valid:029.http': row('refused', '9112 §6.1', identity),
  'valid:030.http': row('refused', '9112 §6.1', identity),
  'valid:099.http': row('incomplete', '9112 §8', 'the file is shorter than its Content-Length'),
  'valid:compat_obs_fold.http': row('refused', '9112 §5.2', configured),
  'valid:compat_obs_fold_huge.http': row('refused', '9112 §5.2', configured),
  'valid:pp_01.http': row('refused', '9112 §3', 'a PROXY line is read by core, before HTTP begins'),
  'valid:pp_02.http': row('refused', '9112 §3', 'a PROXY line is read by core, before HTTP begins'),
  'valid:pp_04.http': row('refused', '9112 §3', 'a PROXY header is read by core, before HTTP begins'),
  'valid:pp_05.http': row('refused', '9112 §3', 'a PROXY header is read by core, before HTTP begins'),
  'valid:rfc9112_smuggle_gzip_chunked_01.http': row('refused', '9112 §6.1', gzip),
  'valid:rfc9112_smuggle_te_identity_chunked_01.http': row('refused', '9112 §6.1', identity),
  'valid:rfc9112_target_absolute_userinfo_01.http': row('refused', '9110 §4.2.4', userinfo),
  'invalid:003c.http': row('accepted', '9110 §9.1', methodToken),
  'invalid:006.http': row('accepted', '9112 §3', smallerLimit),
  'invalid:007.http': row('accepted', '9110 §5.4', smallerLimit),
  'invalid:008.http': row('accepted', '9110 §5.4', smallerLimit),
  'invalid:010.http': row('accepted', '9110 §5.4', configured),
  'invalid:011.http': row('accepted', '9110 §5.4', configured),
  'invalid:012.http': row('accepted', '9110 §5.4', configured),
  'invalid:017.http': row('accepted', '9110 §5.4', smallerLimit),
  'invalid:019.http': row('accepted', '9110 §5.1', 'forwarding fields mean nothing here'),
  'invalid:040.http': row('accepted', '9110 §5.1', 'a name with an underscore is another name'),
  'invalid:chunked_07.http': row('accepted', '9110 §5.1', 'a name with an underscore is another name'),
  'invalid:limit_header_default_01.http': row('accepted', '9110 §5.4', smallerLimit),
};

/** Valid in both, but what is read differs. */
export const GUNICORN_READ_DIFFERENTLY: Readonly<Record<string, string>> = {
  '031compat.http': 'methods are case-sensitive and never changed (9110 §9.1)',
  '040.http': 'a name with an underscore is another name, and kept (9110 §5.1)',
};
