import { LOOK_MS } from './division.ts';

/**
 * How many requests a second other clients of the same organization make, as far as the answers show it.
 *
 * `Ratelimit-Remaining-Second` counts everybody's requests of the current second, ours among them. Where that second begins is
 * not known, but wherever it does, it holds at most those of ours that were sent in the last second. What is counted beyond
 * them was others': a lower bound, never too high, and close to the truth near the end of each second. So the highest
 * of the recent ones is taken, which also allows for rivals that come in bursts.
 */
export interface Rivals {
  /** Says that one of ours is sent now. Returns how many the last second holds, this one among them. */
  sent(now: number): number;
  /**
   * An answer showed `used` requests in the second in which this process had sent `ours`. Returns the lower bound for this second, without what
   * peers send.
   */
  observed(now: number, used: number, ours: number): number;
  /** One of ours was refused: others took at least what we did not. But one refusal alone may be a fault, so it counts for two requests at first. */
  refused(now: number, limit: number, ours: number): void;
  /** Our other workers sent at most `perSecond` lately, and do so until the next call says otherwise. They are no rivals. */
  peers(now: number, perSecond: number): void;
  /** Requests a second; 0 without rivals. */
  estimate(now: number): number;
  /** Ours in the last second. */
  ours(now: number): number;
  /** The most of ours in one second, since this was asked the last time but one. */
  takePeak(): number;
}

// A request sent 1,000 ms before another may still be counted in the same second, when it was 50 ms longer on the way.
const SECOND_MS = 1_050;
// A rival whose calls come at random showed its peaks within 20 s: with 10 s of memory 1.2 to 1.5 % of its calls met a 429, with 20 s
// 0.3 to 0.9 % (simulated, 4 a second on average). The price: after it has left we hold back for 20 s.
const MEMORY_MS = 20_000;
const BUCKET_MS = 1_000;
/** Sent evenly once a second, they are one in a second, also when a timer is late. */
const PEAK_MS = 950;
/** What a peer says is up to one look of its own old, and tells of the time since the look before. */
const PEERS_SPEAK_OF_MS = 2 * LOOK_MS + 500;

export function createRivals(): Rivals {
  const sends = slidingTimes();
  // The highest bound of each second suffices, and keeps the memory at twenty numbers.
  let highest: { at: number; others: number; peers: number }[] = [];
  let peers = 0;

  let [peak, earlierPeak] = [0, 0];

  const estimate = (now: number): number => {
    highest = highest.filter((it) => now - it.at < MEMORY_MS);
    return highest.reduce((most, it) => Math.max(most, it.others - it.peers), 0);
  };
  const observed = (now: number, used: number, ours: number): number => {
    const others = Math.max(0, used - ours);
    const last = highest.at(-1);
    if (last && now - last.at < BUCKET_MS) last.others = Math.max(last.others, others);
    else highest.push({ at: now, others, peers });
    return Math.max(0, others - peers);
  };

  return {
    sent: (now) => {
      sends.add(now);
      const ours = sends.countSince(now - SECOND_MS);
      peak = Math.max(peak, sends.countSince(now - PEAK_MS));
      return ours;
    },
    observed,
    refused: (now, limit, ours) => {
      observed(now, Math.min(limit, ours + peers + estimate(now) + 2), ours);
    },
    peers: (now, perSecond) => {
      peers = perSecond;
      for (const it of highest) if (now - it.at < PEERS_SPEAK_OF_MS) it.peers = Math.max(it.peers, perSecond);
    },
    estimate,
    takePeak: () => {
      const most = Math.max(peak, earlierPeak);
      [peak, earlierPeak] = [0, peak];
      return most;
    },
    ours: (now) => sends.countSince(now - 1_000),
  };
}

/** Times in ascending order, of which only the last second is kept. */
function slidingTimes(): { add(at: number): void; countSince(from: number): number } {
  let times: number[] = [];
  let first = 0;
  return {
    add: (at) => {
      times.push(at);
      while ((times[first] ?? at) < at - SECOND_MS) first++;
      if (first > 1_024 && first > times.length / 2) {
        times = times.slice(first);
        first = 0;
      }
    },
    countSince: (from) => {
      let low = first;
      let high = times.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((times[middle] ?? 0) < from) low = middle + 1;
        else high = middle;
      }
      return times.length - low;
    },
  };
}
