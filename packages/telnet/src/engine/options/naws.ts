// Window size (RFC 1073): two 16-bit numbers, columns and rows, in network order.

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

// A wide screen at its smallest font has some 900 columns; more only asks us to allocate for it.
const MAX_CELLS = 1000;

/**
 * Reads a size. A number of 0 means "unknown" there (curl sends 0 by 0) and is undefined here; too large is cut down.
 * Undefined when the payload is not four bytes.
 */
export function parseWindowSize(
  payload: Uint8Array,
): { readonly columns: number | undefined; readonly rows: number | undefined } | undefined {
  if (payload.length !== 4) return undefined;
  const [columnsHigh = 0, columnsLow = 0, rowsHigh = 0, rowsLow = 0] = payload;
  const known = (cells: number): number | undefined => (cells === 0 ? undefined : Math.min(cells, MAX_CELLS));
  return { columns: known(columnsHigh * 256 + columnsLow), rows: known(rowsHigh * 256 + rowsLow) };
}
