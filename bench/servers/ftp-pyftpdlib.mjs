// pyftpdlib with sendfile, as its documentation measures it.
import { spawn } from 'node:child_process';
import process from 'node:process';

const PROGRAM = `
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
import logging; logging.disable(logging.CRITICAL)
import warnings; warnings.simplefilter('ignore')
authorizer = DummyAuthorizer(); authorizer.add_anonymous(sys.argv[1], perm='elradfmwMT')
class Handler(FTPHandler): pass
Handler.authorizer = authorizer
server = FTPServer(('127.0.0.1', 0), Handler)
print('port %d pid %d' % (server.address[1], __import__('os').getpid()), flush=True)
server.serve_forever()
`;
const child = spawn('/usr/bin/python3', ['-c', PROGRAM, process.argv[2]], { stdio: ['ignore', 'inherit', 'ignore'] });
process.on('SIGTERM', () => {
  child.kill();
  process.exit();
});
