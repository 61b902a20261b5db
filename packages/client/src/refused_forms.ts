/**
 * Shows a form that was refused after a deploy, with what somebody typed into it.
 *
 * Turbo puts the page that answers a refused form (422, say) into the document; but a page that names another script
 * than the document's, as the first one after a deploy does, it loads anew from its address instead, where nobody
 * knows what was typed. So such a page is given the document's script, and the new one comes with the next visit.
 */

/** A tag of the embedded client, which has no content; the name of the file holds a hash of it. */
const TAG = /<script [^>]*\/_sinew\/(client|development)-[0-9a-f]+\.js"[^>]*><\/script>/g

/** The document's own tag, as Turbo reads it. */
function ownTag (name: string): string | undefined {
  return document.head.querySelector(`script[src*="/_sinew/${name}-"][data-turbo-track]`)?.outerHTML
}

interface FetchedPage {
  readonly succeeded: boolean
  readonly responseHTML: Promise<string | undefined>
}

/** Has Turbo show refused forms in the document they were sent from, whatever version answers. */
export function keepRefusedForms (): void {
  document.addEventListener('turbo:before-fetch-response', event => {
    const { fetchResponse } = (event as CustomEvent<{ fetchResponse: FetchedPage }>).detail
    if (!(event.target instanceof HTMLFormElement) || fetchResponse.succeeded) return
    const { responseHTML } = fetchResponse
    Object.defineProperty(fetchResponse, 'responseHTML', {
      value: responseHTML.then(html => html?.replace(TAG, (tag, name: string) => ownTag(name) ?? tag))
    })
  })
}
