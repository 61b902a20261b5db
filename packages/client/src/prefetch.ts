/**
 * Keeps Turbo from fetching a page before its link is clicked.
 *
 * Turbo fetches the page of a link that the mouse rests on, and shows what it got then. Here a reflex may have changed
 * meanwhile what that page shows: the visitor would see it as it was. A page whose links lead to pages that no reflex
 * changes asks for it with `<meta name="turbo-prefetch" content="true">`.
 */

const META = 'meta[name="turbo-prefetch"]'

export function fetchWhenClicked (): void {
  document.addEventListener('turbo:before-prefetch', event => {
    if (document.querySelector<HTMLMetaElement>(META)?.content !== 'true') event.preventDefault()
  })
}
