//! A connection of somebody else to the database.

use sqlx::{Connection, Executor, PgConnection, Row};

use crate::PostgresServer;

/// The connection.
pub struct Plain(PgConnection);

impl Plain {
    /// As the owner of the database.
    pub async fn connect(server: &PostgresServer) -> Plain {
        Plain::connect_by(server, server.port()).await
    }

    /// The same through something that listens on a port.
    pub async fn connect_by(server: &PostgresServer, port: u16) -> Plain {
        let url = server.url().replace(&format!(":{}/", server.port()), &format!(":{port}/"));
        Plain(PgConnection::connect(&url).await.unwrap())
    }

    /// Carries statements out, one after another.
    pub async fn carry_out(&mut self, statements: &str) {
        self.0.execute(statements).await.unwrap();
    }

    /// Carries a statement out that the database prepares once.
    pub async fn prepared(&mut self, statement: &'static str) {
        sqlx::query(statement).execute(&mut self.0).await.unwrap();
    }

    /// The first column of all rows that a statement returns, which is text.
    pub async fn texts(&mut self, statement: &str) -> Vec<String> {
        let rows = sqlx::query(statement).fetch_all(&mut self.0).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}
