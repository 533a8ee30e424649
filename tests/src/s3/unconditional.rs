//! A server that does not look at the conditions of a put, as some do.

use s3s::{S3, S3Request, S3Response, S3Result, dto::*};
use s3s_fs::FileSystem;

pub(super) struct Unconditional(pub(super) FileSystem);

/// Hands requests on as they are.
macro_rules! as_they_are {
    ($($method:ident: $input:ty => $output:ty;)*) => {
        #[async_trait::async_trait]
        impl S3 for Unconditional {
            $(
                async fn $method(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    self.0.$method(request).await
                }
            )*

            async fn put_object(
                &self,
                mut request: S3Request<PutObjectInput>,
            ) -> S3Result<S3Response<PutObjectOutput>> {
                (request.input.if_match, request.input.if_none_match) = (None, None);
                self.0.put_object(request).await
            }

            async fn complete_multipart_upload(
                &self,
                mut request: S3Request<CompleteMultipartUploadInput>,
            ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
                (request.input.if_match, request.input.if_none_match) = (None, None);
                self.0.complete_multipart_upload(request).await
            }
        }
    };
}

as_they_are! {
    get_object: GetObjectInput => GetObjectOutput;
    head_object: HeadObjectInput => HeadObjectOutput;
    delete_object: DeleteObjectInput => DeleteObjectOutput;
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output;
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput;
    upload_part: UploadPartInput => UploadPartOutput;
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput;
}
