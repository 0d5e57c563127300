/** What is left of the cards. */
export interface Counts {
  /** Cards that have not been collected. */
  readonly cards: number
  /** DOM nodes that are keys by reference. */
  readonly nodes: number
  /** DOM nodes that are keys of a map that compares by structure. */
  readonly structuralNodes: number
  readonly themeListeners: number
  readonly urls: number
  readonly workers: number
}

/** What was seen while the cards were on the page. */
export interface Round {
  readonly mounted: Counts
  /** Cards that have the theme that was published. */
  readonly dark: number
  /** Cards that have seen one `resize`. */
  readonly resized: number
  /** Cards that were found by a node inside them. */
  readonly found: number
}

/** What was seen while the cards were released. */
export interface Release {
  readonly counts: Counts
  /** The durations of the tasks over 50 ms, without the forced collections. */
  readonly longTasks: ReadonlyArray<number>
  /** The same for an equal time in which there was nothing to release. */
  readonly longTasksAfterwards: ReadonlyArray<number>
}
