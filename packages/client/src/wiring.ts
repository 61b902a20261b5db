/**
 * Keeps elements with `data-reflex` wired through a morph.
 *
 * The stock client wires an element by adding to its `data-controller` and `data-action`. The server's HTML knows
 * nothing of that, so a morph takes both away, and they come back with the next scan, some twenty milliseconds
 * later: what is clicked or pressed in between is lost. Here the new element gets them before it is compared, which
 * also spares the controllers a disconnect and a connect.
 */

const REFLEX = 'data-reflex'

/** What the scan adds, and nothing else: tokens of the page's own stay the server's business. */
const WIRES: ReadonlyArray<readonly [attribute: string, isWire: (token: string) => boolean]> = [
  ['data-controller', token => token === 'stimulus-reflex'],
  ['data-action', token => token.endsWith('#__perform')]
]

const tokens = (element: Element, attribute: string): string[] =>
  (element.getAttribute(attribute) ?? '').split(/\s+/).filter(token => token !== '')

/** A morph callback of CableReady: lets every morph go on, with the wires carried over. */
export function keepWired (_options: object, from: Element, to: Element): boolean {
  // Another reflex means other wires, which the scan finds.
  const reflex = to.getAttribute?.(REFLEX)
  if (reflex == null || reflex !== from.getAttribute?.(REFLEX)) return true
  for (const [attribute, isWire] of WIRES) {
    const present = tokens(to, attribute)
    const missing = tokens(from, attribute).filter(token => isWire(token) && !present.includes(token))
    if (missing.length > 0) to.setAttribute(attribute, [...present, ...missing].join(' '))
  }
  return true
}
