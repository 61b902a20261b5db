/**
 * The field that somebody types in: what the server took from it, and where the next letter goes.
 *
 * The stock client gives a focused text field the attributes of the new HTML and leaves what it holds alone, but takes
 * no attribute away: `aria-invalid` of a problem that is solved would stay until the field is left. Every other element
 * loses what the new HTML lacks, and so does this one here. Its value is the visitor's.
 */

/** What an `input` may be besides text. */
const OTHERS: ReadonlySet<string> = new Set(['button', 'checkbox', 'color', 'file', 'hidden', 'image', 'radio', 'range', 'reset', 'submit'])

const PERMANENT = '[data-reflex-permanent]'

/** A morph callback of CableReady: lets every morph go on. To be asked after the wires were carried over. */
export function forgetAttributes (_options: object, from: Element, to: Element): boolean {
  const isText = from instanceof HTMLTextAreaElement || (from instanceof HTMLInputElement && !OTHERS.has(from.type))
  if (!isText || from !== document.activeElement || !(to instanceof Element) || from.closest(PERMANENT) !== null) return true
  for (const { name } of [...from.attributes]) {
    if (name !== 'value' && !to.hasAttribute(name)) from.removeAttribute(name)
  }
  return true
}

/** Puts the caret behind the text of a field that `set_focus` went to: browsers put it before, and what is typed with it. */
export function putCaretBehind (): void {
  document.addEventListener('cable-ready:after-set-focus', ({ target }) => {
    const isText = target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !OTHERS.has(target.type))
    // Some kinds of field have a text and no caret to speak of, such as that of an e-mail address.
    if (!isText || target.selectionStart === null || target.selectionEnd !== 0) return
    target.setSelectionRange(target.value.length, target.value.length)
  })
}
