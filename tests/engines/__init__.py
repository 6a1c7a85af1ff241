"""What a real DynamoDB, KMS, SNS and SQS have to do for the library, asked of several engines."""
