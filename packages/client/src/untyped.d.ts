// Packages without types of their own; `clients.ts` says what is in them.
declare module '@hotwired/turbo'
declare module '@rails/actioncable'
declare module 'cable_ready'
declare module 'stimulus_reflex'
