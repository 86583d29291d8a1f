"""S3, Step Functions and Lambda, by the standard library; the command of a container."""
