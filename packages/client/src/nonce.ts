/**
 * Keeps a page's content security policy in force through Turbo visits.
 *
 * A document has the policy it was loaded with, and its nonce, until it is loaded anew. What Turbo fetches
 * meanwhile comes with nonces of its own, which this document's policy does not know; and Turbo puts the nonce of
 * `<meta name="csp-nonce">` on every script that it runs, also on one that somebody has smuggled into the page.
 *
 * So here:
 * - The nonce that a response's own policy names is replaced by the document's. It is random and made for that
 *   response, so what has it was written by the server. Nothing else gets a nonce: a script without one, or with
 *   another, is refused as it would be on a page loaded whole.
 * - The meta tag is taken out of the document and of every page that is fetched, so that Turbo blesses nothing.
 * - Turbo empties `nonce` attributes of the head when it compares pages, and browsers hide them when an element
 *   enters the document. Turbo copies attributes to run a script, so they are there while it does.
 */

const META = 'meta[name="csp-nonce"]'

/** Shorter, a nonce could also be a word of the page. */
const NONCE_CHARS_MIN = 16

type Marked = HTMLElement & { nonce: string }

/** What a policy asks for a nonce, and Turbo tells from the rest of a head. */
const KINDS = 'script[nonce], style[nonce], link[rel="stylesheet"][nonce]'

const marked = (root: ParentNode, kinds = KINDS): Marked[] =>
  [...root.querySelectorAll<Marked>(kinds)]

/**
 * Shows Turbo, which is loaded after this, the nonce of the script that loads it: its own style needs it.
 *
 * The page's meta tag does that, unless the script runs again in a document from which it was taken.
 */
export function showNonce (): void {
  const nonce = document.currentScript?.nonce
  if (!nonce || document.querySelector(META) !== null) return
  const meta = document.head.appendChild(document.createElement('meta'))
  meta.name = 'csp-nonce'
  meta.nonce = nonce
}

/** The nonce of the document's policy; empty when it has none. */
function documentNonce (): string {
  const meta = document.querySelector<HTMLMetaElement>(META)
  return meta?.nonce || meta?.content || document.currentScript?.nonce || ''
}

/** The nonces that a policy names. */
function nonces (policy: string | null): Set<string> {
  const found = [...(policy ?? '').matchAll(/'nonce-([\w+/-]+={0,2})'/g)].map(([, nonce]) => nonce as string)
  return new Set(found.filter(nonce => nonce.length >= NONCE_CHARS_MIN))
}

/** A page as its server wrote it, with this document's nonce in place of its own. */
function translated (html: string, headers: Headers, own: string): string {
  const theirs = ['content-security-policy', 'content-security-policy-report-only']
    .flatMap(name => [...nonces(headers.get(name))])
  return theirs.reduce((text, nonce) => text.split(nonce).join(own), html)
}

/** Teaches Turbo, which is started, to keep to the policy of the document. Nothing changes where there is no nonce. */
export function keepNonce (turbo: any): void {
  const own = documentNonce()
  const responses = turbo.FetchResponse?.prototype
  const responseHTML = responses && Object.getOwnPropertyDescriptor(responses, 'responseHTML')?.get
  const snapshots = turbo.PageSnapshot
  if (own === '' || responseHTML === undefined || snapshots?.fromDocument === undefined) return

  const forget = (page: Document): void => page.querySelectorAll(META).forEach(meta => meta.remove())
  forget(document)

  Object.defineProperty(responses, 'responseHTML', {
    configurable: true,
    get (): Promise<string | undefined> {
      const { headers } = this.response as Response
      const html: Promise<string | undefined> = responseHTML.call(this)
      return html.then(text => text === undefined ? text : translated(text, headers, own))
    }
  })

  const fromDocument = snapshots.fromDocument
  snapshots.fromDocument = function (page: Document): unknown {
    forget(page)
    const before = marked(page.head).map(element => ({ element, attribute: element.getAttribute('nonce'), nonce: element.nonce }))
    // It compares heads, and for that it empties their nonces.
    const snapshot = fromDocument.call(this, page)
    for (const { element, attribute, nonce } of before) {
      if (attribute) element.setAttribute('nonce', attribute)
      else element.nonce = nonce
    }
    return snapshot
  }

  const reveal = (root: ParentNode): void => {
    for (const script of marked(root, 'script[nonce]')) if (script.nonce === own) script.setAttribute('nonce', own)
  }
  const hide = (root: ParentNode): void => {
    for (const element of marked(root)) {
      const { nonce } = element
      element.setAttribute('nonce', '')
      element.nonce = nonce
    }
  }
  type Render = (current: Element, next: Element) => unknown
  /** From here until they are in the document, scripts show their nonce; there, those in `shown` once more. */
  const around = (detail: { render: Render }, next: ParentNode, shown: (current: Element) => ParentNode | null): void => {
    reveal(next)
    const { render } = detail
    detail.render = (current, next) => {
      hide(next)
      const result = render(current, next)
      const root = shown(current)
      if (root !== null) reveal(root)
      return result
    }
  }
  document.addEventListener('turbo:before-render', event => {
    const { detail } = event as CustomEvent
    const { head } = document
    // The page of an error takes the place of the whole document, and all of its scripts run anew.
    around(detail, detail.newBody, () => document.head === head ? null : document)
  })
  document.addEventListener('turbo:before-frame-render', event => {
    const { detail } = event as CustomEvent
    around(detail, detail.newFrame, current => current)
  })
}
