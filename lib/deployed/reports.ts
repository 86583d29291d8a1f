/** The questions to S3 about reports of tasks; reports-client.ts answers them. */
export interface ReportParts {
  /** The bytes of an object from the `from`-th on; undefined where there is no such object yet, or no further byte. */
  read(uri: string, from: number): Promise<Buffer | undefined>;
}
