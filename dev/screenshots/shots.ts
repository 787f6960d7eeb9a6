import type { chromium } from 'playwright-core';
import type { World } from './world.ts';

export type Browser = Awaited<ReturnType<typeof chromium.launch>>;

export interface Shots {
  readonly world: World;
  readonly browser: Browser;
  /** Where the picture of this name goes. */
  readonly file: (name: string) => string;
}
