/** Every workflow a worker can run, under the names that Temporal knows (contracts). */
export { extraction } from './extraction/workflow.ts';
export { onboarding } from './onboarding/workflow.ts';
export { sweep } from './sweep/workflow.ts';
