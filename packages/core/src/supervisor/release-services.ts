// What a reload has left and no worker serves any more is let go, with everything that was kept for it.

import type { PrimaryParts } from './primary-parts.ts';

export function releaseServices({
  options: { services, log },
  generations,
  pool,
  limits,
  bans,
  places,
  shared,
  counters,
  tickets,
}: PrimaryParts): void {
  const released = generations.release(pool.all().map(({ generation }) => generation));
  if (released.length === 0) return;
  for (const { number, service } of released) {
    const successor = generations.current.services.find((other) => services[other]?.name === service.name);
    counters.release(number, successor);
    for (const part of [limits, bans, places, shared]) part?.release(number);
    try {
      service.release?.();
    } catch (error) {
      log.warn({ err: error, service: service.name }, 'what a service had open could not be given back');
    }
  }
  tickets.keepOnly(services.flatMap((service) => service ?? []));
}
