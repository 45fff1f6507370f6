// What clients and crawlers of multi-user worlds speak beside text: GMCP, MSDP and MSSP. State belongs to the session.

import type { Logger } from '@wellknown/core';
import { OPTIONS } from './engine/codes.ts';
import { optionRow, type OptionRow } from './engine/option-table.ts';
import { addGmcpSupport, encodeGmcp, parseGmcp, type GmcpMessage } from './engine/options/gmcp.ts';
import { encodeMsdp, parseMsdp, type MsdpMessage, type MsdpValue } from './engine/options/msdp.ts';
import { encodeMssp, type MsspStatus } from './engine/options/mssp.ts';
import type { OptionFeature, PeerOptions } from './peer-options.ts';

/** GMCP with one client. */
export interface SessionGmcp {
  /** The client has agreed to it. */
  readonly enabled: boolean;
  /** The modules that the client says it supports, in lower case, with their versions. */
  readonly modules: ReadonlyMap<string, number>;
  /**
   * Sends a message. False, and nothing is sent, when the client has not agreed, the name is none, or the data is nothing
   * that JSON can say.
   */
  send(name: string, data?: unknown): boolean;
}

/** MSDP with one client. */
export interface SessionMsdp {
  readonly enabled: boolean;
  /** Sends a variable; false when the client has not agreed. */
  send(name: string, value: MsdpValue): boolean;
}

export interface MudOptions {
  /** Offer GMCP to clients made for multi-user worlds. */
  readonly gmcp: boolean;
  /** Offer MSDP to them. */
  readonly msdp: boolean;
  /** What crawlers are told. Offered to every client when it is set, since crawlers say nothing of themselves. */
  readonly mssp: (() => MsspStatus) | undefined;
  /** Offer MCCP2, compression of what is sent, to them. Never under TLS. */
  readonly mccp: boolean;
  /** Answer a first line `MSSP-REQUEST` in plain text, for crawlers that speak no telnet. */
  readonly plainMssp: boolean;
}

export interface MudParts {
  readonly options: PeerOptions;
  readonly offers: MudOptions;
  readonly log: Logger;
  /** What the client says, for the session's listeners. */
  readonly heard: {
    readonly gmcp: (message: GmcpMessage) => void;
    readonly msdp: (message: MsdpMessage) => void;
  };
}

export interface Mud extends OptionFeature {
  readonly gmcp: SessionGmcp;
  readonly msdp: SessionMsdp;
  /** What every client is offered. */
  start(): void;
  /** What crawlers are told; undefined where there is nothing. */
  status(): MsspStatus | undefined;
}

const GMCP = OPTIONS.GMCP.code;
const MSDP = OPTIONS.MSDP.code;
const MSSP = OPTIONS.MSSP.code;

/**
 * The rows of the option table for a server with these options: what is on may be asked for by the client, too. Some ask
 * before they say who they are, and web clients never say it. Not so compression, which takes memory and time.
 */
export const rowsWith =
  ({ gmcp, msdp, mssp }: MudOptions) =>
  (option: number): OptionRow => {
    const row = optionRow(option);
    const isOn = (option === GMCP && gmcp) || (option === MSDP && msdp) || (option === MSSP && mssp !== undefined);
    return isOn ? { ...row, us: 'agreed' } : row;
  };

export function createMud({ options, offers, log, heard }: MudParts): Mud {
  let modules: ReadonlyMap<string, number> = new Map();
  let isOffered = false;

  const status = (): MsspStatus | undefined => {
    try {
      return offers.mssp?.();
    } catch (error) {
      log.error({ err: error }, 'the status for crawlers failed');
      return undefined;
    }
  };

  return {
    status,
    gmcp: {
      get enabled() {
        return options.isOn('us', GMCP);
      },
      get modules() {
        return modules;
      },
      send(name, data) {
        const payload = options.isOn('us', GMCP) ? encodeGmcp(name, data) : undefined;
        if (payload !== undefined) options.send(GMCP, payload);
        return payload !== undefined;
      },
    },
    msdp: {
      get enabled() {
        return options.isOn('us', MSDP);
      },
      send(name, value) {
        const isOn = options.isOn('us', MSDP);
        if (isOn) options.send(MSDP, encodeMsdp(name, value));
        return isOn;
      },
    },
    start() {
      if (offers.mssp !== undefined) options.request('us', MSSP, true);
    },
    named(isMudClient) {
      if (!isMudClient || isOffered) return;
      isOffered = true;
      if (offers.gmcp) options.request('us', GMCP, true);
      if (offers.mccp) options.request('us', OPTIONS.MCCP2.code, true);
      if (offers.msdp) options.request('us', MSDP, true);
    },
    changed({ side, option, enabled }) {
      if (!enabled || side !== 'us' || option !== MSSP) return;
      const told = status();
      if (told !== undefined) options.send(MSSP, encodeMssp(told));
    },
    received(option, payload) {
      if (option === GMCP) {
        const message = parseGmcp(payload);
        if (message === undefined) return;
        modules = addGmcpSupport(modules, message);
        heard.gmcp(message);
      } else if (option === MSDP) for (const message of parseMsdp(payload)) heard.msdp(message);
    },
  };
}
