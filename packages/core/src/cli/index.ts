// The command line of server programs: what a protocol package tells of itself, and how that is run.

export type { BuildContext, CommandExample, OptionSpec, OptionValues, ServerCommand } from './server-command.ts';
export { parseOptions, parseServerArguments } from './parse.ts';
export { readCommon, type CommonValues } from './common-values.ts';
export { readChoice, readNumber } from './read-values.ts';
export { allOptions, describeCommand, helpOfCommand, helpText, optionText, row, wrapped, type Help } from './help.ts';
export type { OptionGroup } from './option-groups.ts';
export { COMMON_OPTIONS, PROGRAM_OPTIONS } from './common-options.ts';
export { optionsOf } from './command-options.ts';
export { companionServices } from './extra-services.ts';
export { serviceOf } from './service-of.ts';
export { openProgramAccessLog } from './program-access-log.ts';
export { loadHandlerModule, type HandlerModuleOptions } from './handler-module.ts';
export { answer, readIdentity, startWorkersEarly, usageError, version } from './program-start.ts';
export { defaultEndpoint, logOf, runCommand, runServices } from './run.ts';
export { describeExec, runExec } from './run-exec.ts';
export type { LimitsLoader } from './limits-option.ts';
export { execServiceCommand } from './exec-service.ts';
export type { PinoLibrary, PinoSource, ProgramLog } from './program-log.ts';
export { endEarlyWorkers } from '../supervisor/early-workers.ts';
export { surviveClosedOutput } from './line-output.ts';
export { endOnStop, releaseSignals } from './early-signals.ts';
export { nearestName } from '../option-names.ts';
export { isOurWorker } from '../supervisor/worker-place.ts';
export { isSuccessor } from '../listener/inheritance.ts';
export { LOG_LEVELS } from '../log.ts';
