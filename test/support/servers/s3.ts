import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'

/** How to reach an S3 server, and where in it the tests' models lie. */
export interface S3Access {
  /** e.g. `http://127.0.0.1:9000` */
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  /** exists */
  bucket: string
  /** MLflow's artifacts lie under `s3://BUCKET/PREFIX/` */
  prefix: string
}

/** What every server of the tests is given: nobody can reach them but this machine. */
export const CREDENTIALS = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key-of-no-worth' }

export const PLACE = { region: 'us-east-1', bucket: 'models', prefix: 'mlflow' }

/** The caller destroys it. */
export function s3Client({ endpoint, region, accessKeyId, secretAccessKey }: S3Access): S3Client {
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 1
  })
}

/** Makes the bucket unless it is there. Throws while the server cannot. */
export async function makeBucket(access: S3Access): Promise<void> {
  const client = s3Client(access)
  try {
    await client.send(new CreateBucketCommand({ Bucket: access.bucket }), { abortSignal: AbortSignal.timeout(5000) })
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error
  } finally {
    client.destroy()
  }
}

/** The variables by which boto3, and with it MLflow, finds the server. */
export function s3Environment({ endpoint, region, accessKeyId, secretAccessKey }: S3Access): Record<string, string> {
  return {
    MLFLOW_S3_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true'
  }
}
