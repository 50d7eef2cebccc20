/** Runs at a Restate server: the host for callers, and the services for workers. */
export { restate, type RestateOptions } from './runtime/restate/host.ts';
export { serve, type ServeOptions, type Serving } from './runtime/restate/serve.ts';
export { services, type Role, type Service, type ServicesOptions } from './runtime/restate/services.ts';
