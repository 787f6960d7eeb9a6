export type Scheduled = { number: number; nextMs: number };

/** A queue ordered by time, and by number within the same time: a binary heap. */
export type Schedule = {
  push(entry: Scheduled): void;
  peek(): Scheduled | undefined;
  pop(): Scheduled | undefined;
  clear(): void;
  size(): number;
};

export function createSchedule(): Schedule {
  let heap: Scheduled[] = [];

  function comesBefore(left: Scheduled | undefined, right: Scheduled | undefined): boolean {
    if (left === undefined || right === undefined) return false;
    return left.nextMs === right.nextMs ? left.number < right.number : left.nextMs < right.nextMs;
  }

  function swap(left: number, right: number): void {
    const [a, b] = [heap[left], heap[right]];
    if (a === undefined || b === undefined) return;
    heap[left] = b;
    heap[right] = a;
  }

  function rise(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!comesBefore(heap[index], heap[parent])) return;
      swap(index, parent);
      index = parent;
    }
  }

  function sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const smaller = comesBefore(heap[left + 1], heap[left]) ? left + 1 : left;
      if (!comesBefore(heap[smaller], heap[index])) return;
      swap(index, smaller);
      index = smaller;
    }
  }

  return {
    push: (entry) => {
      heap.push(entry);
      rise(heap.length - 1);
    },
    peek: () => heap[0],
    pop: () => {
      const first = heap[0];
      const last = heap.pop();
      if (heap.length > 0 && last !== undefined) {
        heap[0] = last;
        sink();
      }
      return first;
    },
    clear: () => {
      heap = [];
    },
    size: () => heap.length,
  };
}
