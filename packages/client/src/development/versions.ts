/** Versions that do not go together, shown on the page. */
import type { AboutServer, Started } from '../start'
import type { Overlay } from './overlay'

/** Shows when page and server do not go together. */
export function showMismatch (started: Started, overlay: Overlay): void {
  const show = ({ server, compatible, text }: AboutServer): void => {
    if (compatible) {
      overlay.dismiss('version')
      return
    }
    overlay.show({
      key: 'version',
      title: 'Page and server are of different versions',
      text: `this page: ${started.version}\nthe server: ${server}`,
      advice: text
    })
  }
  if (started.server !== undefined) show(started.server)
  document.addEventListener('sinew:server', event => show((event as CustomEvent<AboutServer>).detail))
}
