/** Whether a project's Dockerfile has the image that Trowel makes (task-images/python/Dockerfile) under it: `FROM trowel`. */
export function buildsOnTrowel(dockerfile: string): boolean {
  return /^\s*FROM\s+(--\S+\s+)*trowel(\s|$)/im.test(dockerfile);
}
