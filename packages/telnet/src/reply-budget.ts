/** A token bucket: how many replies a peer may cause. The time comes with each question, so that it owns no timer. */
export interface ReplyBudget {
  /** Takes one token; false when there is none. */
  take(nowMs: number): boolean;
}

export function createReplyBudget({
  perSecond = 10,
  burst = 10,
}: { readonly perSecond?: number; readonly burst?: number } = {}): ReplyBudget {
  let tokens = burst;
  let lastMs: number | undefined;
  return {
    take(nowMs) {
      tokens = Math.min(burst, tokens + ((nowMs - (lastMs ?? nowMs)) * perSecond) / 1000);
      lastMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
