/**
 * A circular doubly linked list. The list is itself a link: its `newer` link is the oldest
 * element, and its `older` link is the newest. Inserting and removing cost O(1) and
 * allocate nothing.
 */

export interface Link {
  newer: Link
  older: Link
}

/** A list, or a link that is in no list. A subclass of another class can set both links to itself instead. */
export class Ring implements Link {
  declare newer: Link
  declare older: Link

  constructor() {
    this.newer = this
    this.older = this
  }
}

/** Checks whether a list has no elements, or whether a link is in no list. */
export const isAlone = (link: Link): boolean => link.newer === link

/** Inserts a link that is in no list as the newest element. */
export const insert = (list: Link, link: Link): void => {
  link.newer = list
  link.older = list.older
  list.older = list.older.newer = link
}

/** Removes a link from its list. Does nothing if the link is in no list. */
export const remove = (link: Link): void => {
  link.newer.older = link.older
  link.older.newer = link.newer
  // A removed link must not hold its former neighbours.
  link.newer = link.older = link
}
