// pyftpdlib with sendfile, as its documentation measures it. `node ftp-pyftpdlib.mjs ADDRESS ROOT [FOLDER OF all.pem]`
import { spawn } from 'node:child_process';
import process from 'node:process';

const PROGRAM = `
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer
import logging; logging.disable(logging.CRITICAL)
import warnings; warnings.simplefilter('ignore')
authorizer = DummyAuthorizer(); authorizer.add_anonymous(sys.argv[2], perm='elradfmwMT')
hasTls = len(sys.argv) > 3
class Handler(TLS_FTPHandler if hasTls else FTPHandler): pass
Handler.authorizer = authorizer
if hasTls: Handler.certfile = sys.argv[3] + '/all.pem'
server = FTPServer((sys.argv[1], 0), Handler)
server.max_cons = 10_000
print('port %d pid %d' % (server.address[1], __import__('os').getpid()), flush=True)
server.serve_forever()
`;
const child = spawn('/usr/bin/python3', ['-c', PROGRAM, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'ignore'],
});
process.on('SIGTERM', () => {
  child.kill();
  process.exit();
});
