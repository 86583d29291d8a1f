/** Loaded when a request is made. Imported here by name because a bundle gives a CommonJS package no names on `import()`. */
export { Agent, ProxyAgent } from 'undici';
