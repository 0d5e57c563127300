/** A referent with a method, for programs that run without a test runner. */
export class Item {
  readonly id: number
  constructor(id: number) {
    this.id = id
  }
  read(): number {
    return this.id
  }
}
