/** What somebody has entered on a page and the server does not know yet. */

export type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

const CONTROLS = 'input, textarea, select'

/** What an input shows before it is touched depends on these: a slider without a value stands in its middle. */
const ATTRIBUTES_OF_VALUE = ['type', 'min', 'max', 'step', 'multiple', 'value']

/** Editable elements that were typed in: nothing about them tells what they held before. */
const edited = new WeakSet<Element>()

document.addEventListener('input', ({ target }) => {
  const editable = target instanceof HTMLElement && !target.matches(CONTROLS) ? target.closest('[contenteditable]') : null
  if (editable !== null) edited.add(editable)
}, true)

/** Whether a control holds something else than the page's HTML says. */
export function isDirty (control: Control): boolean {
  if (control instanceof HTMLTextAreaElement) return control.value !== control.defaultValue
  if (control instanceof HTMLSelectElement) return isDirtySelect(control)
  switch (control.type) {
    case 'checkbox':
    case 'radio':
      return control.checked !== control.defaultChecked
    case 'file':
      return (control.files?.length ?? 0) > 0
    case 'hidden':
    case 'submit':
    case 'reset':
    case 'button':
    case 'image':
      return false
  }
  return control.value !== control.defaultValue && control.value !== untouched(control).value
}

function untouched (control: HTMLInputElement): HTMLInputElement {
  const twin = document.createElement('input')
  for (const name of ATTRIBUTES_OF_VALUE) {
    const value = control.getAttribute(name)
    if (value !== null) twin.setAttribute(name, value)
  }
  return twin
}

function isDirtySelect (select: HTMLSelectElement): boolean {
  const options = [...select.options]
  if (options.every(option => option.selected === option.defaultSelected)) return false
  // One that takes a single option shows the first that can be chosen when the HTML selects none, else the last.
  if (select.multiple || select.size > 1) return true
  const shown = options.filter(option => option.defaultSelected).at(-1) ??
    options.find(option => !option.disabled && !(option.parentElement as HTMLOptGroupElement).disabled)
  return select.selectedIndex !== (shown?.index ?? -1)
}

/** The controls of the page that hold something the server does not know. */
export function dirtyControls (): Control[] {
  return [...document.querySelectorAll<Control>(CONTROLS)].filter(isDirty)
}

/** The editable elements of the page that were typed in. */
export function editedElements (): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[contenteditable]')].filter(element => edited.has(element))
}

/** Whether anything would be lost if the page were loaded again. */
export function holdsInput (): boolean {
  return dirtyControls().length > 0 || editedElements().length > 0
}
