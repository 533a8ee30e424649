//! A client by the crate `smb2`, request by request.

use std::time::Duration;

use smb2::{
    Frame, SmbClient, Tree,
    msg::{
        close::CloseRequest,
        create::{CreateDisposition, CreateRequest, CreateResponse, ImpersonationLevel, ShareAccess},
        flush::FlushRequest,
        read::{ReadRequest, ReadResponse},
        set_info::{InfoType, SetInfoRequest},
        write::{SMB2_WRITEFLAG_WRITE_THROUGH, WriteRequest, WriteResponse},
    },
    pack::{Pack, ReadCursor, Unpack},
    types::{Command, CreditCharge, FileId, OplockLevel, flags::FileAccessMask, status::NtStatus},
};

use super::PASSWORD;

/// Bytes for which a credit is charged.
const CREDIT: usize = 64 << 10;
/// The statuses that ask for another try.
const RETRY: NtStatus = NtStatus(0xC000_022D);
/// Options of CREATE.
pub(super) const WRITE_THROUGH: u32 = 0x2;
const NO_DIRECTORY: u32 = 0x40;
pub(super) const DELETE_ON_CLOSE: u32 = 0x1000;
/// Classes of SET_INFO.
const RENAME: u8 = 10;
const DISPOSITION: u8 = 13;
const END_OF_FILE: u8 = 20;

/// The server has gone.
pub(super) struct Gone;

/// A session with the share.
pub(super) struct Client {
    smb: SmbClient,
    share: Tree,
}

impl Client {
    /// Messages are signed, or encrypted if it is to be.
    pub(super) async fn connect(port: u16, is_sealed: bool) -> Client {
        let mut smb = smb2::connect(&format!("127.0.0.1:{port}"), "alice", PASSWORD).await.unwrap();
        assert!(smb.session().should_sign, "messages are signed");
        if is_sealed {
            let session = smb.session();
            let keys = session.encryption_key.clone().zip(session.decryption_key.clone());
            let (sealing, opening) = keys.unwrap();
            let cipher = smb.params().unwrap().cipher.unwrap();
            smb.connection_mut().activate_encryption(sealing, opening, cipher);
        }
        let share = smb.connect_share("export").await.unwrap();
        assert_eq!(smb.connection().should_encrypt(), is_sealed);
        Client { smb, share }
    }

    /// Opens a file, whose path has slashes in it, with these options besides.
    pub(super) async fn open(&self, path: &str, how: CreateDisposition, options: u32) -> Result<FileId, Gone> {
        use FileAccessMask as Access;
        let access = Access::FILE_READ_DATA
            | Access::FILE_WRITE_DATA
            | Access::FILE_APPEND_DATA
            | Access::FILE_READ_ATTRIBUTES
            | Access::FILE_WRITE_ATTRIBUTES
            | Access::DELETE
            | Access::SYNCHRONIZE;
        let share = ShareAccess::FILE_SHARE_READ | ShareAccess::FILE_SHARE_WRITE | ShareAccess::FILE_SHARE_DELETE;
        let request = CreateRequest {
            requested_oplock_level: OplockLevel::None,
            impersonation_level: ImpersonationLevel::Impersonation,
            desired_access: FileAccessMask::new(access),
            file_attributes: 0,
            share_access: ShareAccess(share),
            create_disposition: how,
            create_options: NO_DIRECTORY | options,
            name: path.replace('/', "\\"),
            create_contexts: Vec::new(),
        };
        let response: CreateResponse = unpacked(&self.done(Command::Create, &request, 1).await?);
        Ok(response.file_id)
    }

    pub(super) async fn close(&self, file: FileId) -> Result<(), Gone> {
        self.done(Command::Close, &CloseRequest { flags: 0, file_id: file }, 1).await.map(drop)
    }

    pub(super) async fn flush(&self, file: FileId) -> Result<(), Gone> {
        self.done(Command::Flush, &FlushRequest { file_id: file }, 1).await.map(drop)
    }

    pub(super) async fn write(&self, file: FileId, offset: u64, data: &[u8], is_through: bool) -> Result<(), Gone> {
        let request = WriteRequest {
            data_offset: 0x70,
            offset,
            file_id: file,
            channel: 0,
            remaining_bytes: 0,
            write_channel_info_offset: 0,
            write_channel_info_length: 0,
            flags: if is_through { SMB2_WRITEFLAG_WRITE_THROUGH } else { 0 },
            data: data.to_vec(),
        };
        let response: WriteResponse = unpacked(&self.done(Command::Write, &request, data.len()).await?);
        assert_eq!(response.count as usize, data.len());
        Ok(())
    }

    /// Reads at most so many bytes; none at the end of the file.
    pub(super) async fn read(&self, file: FileId, offset: u64, length: usize) -> Result<Vec<u8>, Gone> {
        let request = ReadRequest {
            padding: 0x50,
            flags: 0,
            length: length as u32,
            offset,
            file_id: file,
            minimum_count: 0,
            channel: 0,
            remaining_bytes: 0,
            read_channel_info: Vec::new(),
        };
        let frame = self.answer(Command::Read, &request, length).await?;
        match frame.header.status {
            NtStatus::END_OF_FILE => Ok(Vec::new()),
            NtStatus::SUCCESS => Ok(unpacked::<ReadResponse>(&frame).data),
            status => panic!("the server answers a read by {status:?}"),
        }
    }

    pub(super) async fn set_length(&self, file: FileId, length: u64) -> Result<(), Gone> {
        self.set(file, END_OF_FILE, length.to_le_bytes().to_vec()).await
    }

    /// The file goes when it is closed.
    pub(super) async fn set_deletion(&self, file: FileId) -> Result<(), Gone> {
        self.set(file, DISPOSITION, vec![1]).await
    }

    /// Moves it to another path, over what may be there.
    pub(super) async fn rename(&self, file: FileId, to: &str) -> Result<(), Gone> {
        let name: Vec<u8> = to.replace('/', "\\").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let replace = 1u64.to_le_bytes();
        let buffer = [&replace[..], &[0; 8], &(name.len() as u32).to_le_bytes(), &name].concat();
        self.set(file, RENAME, buffer).await
    }

    async fn set(&self, file: FileId, class: u8, buffer: Vec<u8>) -> Result<(), Gone> {
        let request = SetInfoRequest {
            info_type: InfoType::File,
            file_info_class: class,
            additional_information: 0,
            file_id: file,
            buffer,
        };
        self.done(Command::SetInfo, &request, 1).await.map(drop)
    }

    /// The names in a directory, sorted.
    pub(super) async fn names(&mut self, path: &str) -> Vec<String> {
        let entries = self.smb.list_directory(&mut self.share, path).await.unwrap();
        let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
        names.retain(|name| name != "." && name != "..");
        names.sort_unstable();
        names
    }

    pub(super) async fn read_all(&mut self, path: &str) -> Vec<u8> {
        self.smb.read_file_pipelined(&mut self.share, path).await.unwrap()
    }

    /// The answer to a request that succeeds: any other is a fault of the server.
    async fn done(&self, command: Command, request: &dyn Pack, bytes: usize) -> Result<Frame, Gone> {
        let frame = self.answer(command, request, bytes).await?;
        assert_eq!(frame.header.status, NtStatus::SUCCESS, "the server's answer to {command:?}");
        Ok(frame)
    }

    /// The answer to a request; that there will be none where the connection ends.
    async fn answer(&self, command: Command, request: &dyn Pack, bytes: usize) -> Result<Frame, Gone> {
        let charge = CreditCharge(bytes.div_ceil(CREDIT).max(1) as u16);
        loop {
            let connection = self.smb.connection();
            let answer = connection.execute_with_credits(command, request, Some(self.share.tree_id), charge).await;
            let frame = answer.map_err(|_| Gone)?;
            if frame.header.status != RETRY {
                return Ok(frame);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn unpacked<T: Unpack>(frame: &Frame) -> T {
    T::unpack(&mut ReadCursor::new(&frame.body)).unwrap()
}
