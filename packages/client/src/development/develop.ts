/**
 * What helps while a page is being developed, and has no place in production: failures on the page, silence explained
 * in the console, and a page that follows a rebuild.
 *
 * @example In a bundle of one's own:
 * ```js
 * import { start } from "sinew-client"
 * import { develop } from "sinew-client/development"
 *
 * const started = start()
 * if (process.env.NODE_ENV === "development") develop(started)
 * ```
 */
import type { Started } from '../start'
import { watchConnection } from './connection'
import { explainMissing, explainPolicy, explainReflexes } from './explanations'
import { Overlay } from './overlay'
import { followRebuilds } from './rebuild'
import { showFailures } from './reflexes'
import { showMismatch } from './versions'

export { Overlay, type Problem } from './overlay'

const developed = new WeakMap<Started, Overlay>()

/**
 * Begins to help on this page; called again, it gives back the same.
 *
 * The overlay is for problems of one's own, too.
 */
export function develop (started: Started): Overlay {
  const running = developed.get(started)
  if (running !== undefined) return running
  const overlay = new Overlay()
  developed.set(started, overlay)
  explainPolicy()
  explainMissing(started)
  explainReflexes(started)
  watchConnection(started, overlay)
  showFailures(started, overlay)
  showMismatch(started, overlay)
  followRebuilds(started, overlay)
  return overlay
}
