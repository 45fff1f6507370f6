// Adds up the reports of several test runs: `node summary.mjs STATUS REPORT…`. Prints what failed, then one closing
// line. Exits 1 unless every run succeeded, tests ran in each, and STATUS is 0.
import { existsSync, readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const [status, ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let sound = status === '0';
for (const file of files) {
  if (!existsSync(file)) {
    console.log(`no report: ${file}`);
    sound = false;
    continue;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests + report.numFailedTestSuites * (report.numFailedTests === 0 ? 1 : 0);
  sound &&= report.success && report.numPassedTests > 0;
  for (const suite of report.testResults) {
    const isFailedOutside =
      suite.status === 'failed' && suite.assertionResults.every(({ status }) => status !== 'failed');
    if (isFailedOutside)
      console.log(`failed outside of its tests: ${suite.name}\n${reasons({ failureMessages: [suite.message] })}`);
    for (const test of suite.assertionResults) {
      if (test.status === 'failed') console.log(`failed: ${test.fullName}\n${reasons(test)}`);
      if (test.status === 'skipped') console.log(`skipped: ${test.fullName}`);
    }
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = sound ? 0 : 1;

/** Why, without the colours: the message, and where it was thrown. */
function reasons({ failureMessages }) {
  return failureMessages
    .map((text) =>
      stripVTControlCharacters(text)
        .split('\n')
        .slice(0, 12)
        .map((line) => `    ${line}`)
        .join('\n'),
    )
    .join('\n');
}
