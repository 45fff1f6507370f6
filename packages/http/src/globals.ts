// `import '@wellknown/http/globals'`: this package's classes under the platform's names, for all of the process. To be
// loaded before the handler, and before what keeps the names for itself.

import { replaceGlobals } from './fetch/replace-globals.ts';

replaceGlobals();
