// What the system allows this process.

import { readFileSync } from 'node:fs';
import { createDescriptorBudget, descriptorLimit, type DescriptorBudget } from '../accept/descriptor-budget.ts';

let limit: number | undefined;
let isKnown = false;

/**
 * The budget of file descriptors; undefined where the system does not tell a limit (it is not Linux, or there is none).
 */
export function systemDescriptorBudget(): DescriptorBudget | undefined {
  if (!isKnown) {
    isKnown = true;
    try {
      // Node has raised the soft limit to the hard one by now.
      limit = descriptorLimit(readFileSync('/proc/self/limits', 'latin1'));
    } catch {
      limit = undefined;
    }
  }
  return limit === undefined ? undefined : createDescriptorBudget(limit);
}
